-- The application's role and the database, made when absent; run by the owner at each start.
\getenv password KETAV_APP_PASSWORD
SELECT 'CREATE ROLE ketav_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ketav_app') \gexec
ALTER ROLE ketav_app PASSWORD :'password';
SELECT 'CREATE DATABASE ketav'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'ketav') \gexec
