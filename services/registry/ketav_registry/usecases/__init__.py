"""One async function per RPC, named like it (or like the brief's function); dependencies are arguments."""
