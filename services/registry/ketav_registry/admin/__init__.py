"""`ketav admin`: the commands of operators, one module for each group of commands."""
