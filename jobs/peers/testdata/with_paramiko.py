"""Moves files with paramiko: put, get, list, rename, resume, tree."""
import os
import shutil
import sys

import paramiko


def resume(sftp, local, remote):
    size = sftp.stat(remote).st_size
    with open(local, "rb") as src, sftp.open(remote, "r+b") as dst:
        dst.set_pipelined(True)
        src.seek(size)
        dst.seek(size)
        shutil.copyfileobj(src, dst, 32768)


def tree(sftp, local, remote):
    above = os.path.dirname(local)
    for folder, _, files in os.walk(local):
        there = remote + "/" + os.path.relpath(folder, above)
        sftp.mkdir(there)
        for name in files:
            sftp.put(os.path.join(folder, name), there + "/" + name)


def main(verb, *args):
    with paramiko.SSHClient() as ssh:
        ssh.load_host_keys(os.environ["KNOWN_HOSTS"])
        ssh.connect(
            os.environ["HOST"], int(os.environ["PORT"]), os.environ["ACCOUNT"],
            key_filename=os.environ["KEY"], allow_agent=False, look_for_keys=False,
        )
        with ssh.open_sftp() as sftp:
            if verb == "put":
                sftp.put(*args)
            elif verb == "get":
                sftp.get(*args)
            elif verb == "list":
                print("\n".join(sftp.listdir(*args)))
            elif verb == "rename":
                sftp.rename(*args)
            elif verb == "resume":
                resume(sftp, *args)
            elif verb == "tree":
                tree(sftp, *args)


main(*sys.argv[1:])
