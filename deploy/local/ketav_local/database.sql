-- The database, made when absent; run by the owner at each start. Its roles are the migrations' affair.
SELECT 'CREATE DATABASE ketav'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'ketav') \gexec
