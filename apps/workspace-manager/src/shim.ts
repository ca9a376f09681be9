/**
 * The shim holds one command while managers come and go: a POSIX shell in a session of its own, started in the call's
 * folder, which the manager has made with the files `status` and `exit` in it (so that there is room for the status on a
 * full disk).
 *
 * S1. Whoever creates `claim` decides: a shim that did starts the command; one that did not goes away at once, and so
 *     does one that could not write its line there, on a full disk.
 * S2. The claim names the shim by its line of /proc/PID/stat, so a restarted manager can tell whether it still lives.
 * S3. The output goes through one pipe into `output`, in order, up to a cap; the rest is read and dropped.
 * S4. `exit` gets the status after the output is complete, by one short write of the length that was there before.
 * S5. Secrets come by descriptors, never by arguments: 4 holds the command's variables, 5 what the filter keeps out of
 *     `output`. Both are files without a name.
 * S6. What a dead shim without a status has left is in its session and is ended by the manager, before it says that nobody
 *     knows how the command ended.
 *
 * Arguments: cap of the output in 512-byte blocks, limit in seconds, the manager's pid, the folders of the control
 * groups (separated by blanks), a command line that writes `output` instead of `tee` (empty: none), then the command's.
 */
export const SHIM = `
read -r stat </proc/$$/stat || exit 1
set -C
echo "$stat" >claim || exit 0
set +C
cap=$1 limit=$2 manager=$3 groups=$4 filter=$5
shift 5
{
  {
    (
      for group in $groups; do echo 0 >"$group/cgroup.procs" || exit 125; done
      exec timeout -s KILL "$limit" "$@"
    ) 2>&1 3>&- 5<&-
    echo $? >&3
  } | {
    ulimit -f "$cap"
    trap '' XFSZ
    [ -z "$filter" ] || eval "exec $filter >/dev/null 2>&1 3>&- 4<&-"
    exec tee output >/dev/null 2>&1 3>&- 4<&- 5<&-
  }
} 3<>status
read -r status <status
[ "$status" = pending. ] && status=137
printf 'exit %03d\\n' "$status" 1<>exit
kill -0 "$manager" 2>/dev/null || sync output exit
`;

/** What `exit` and `status` hold until the command has ended: as long as what will take its place. */
export const EXIT_PENDING = 'pending.\n';

/** The exit status, or undefined while there is none. */
export function parseExit(text: string): number | undefined {
  const match = /^exit (\d{3})\n$/.exec(text);
  return match ? Number(match[1]) : undefined;
}
