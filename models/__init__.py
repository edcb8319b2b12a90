"""What is remembered: the ledger of jobs and the history of repositories, one table or tight pair per file."""
