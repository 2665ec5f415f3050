/**
 * Which process is meant by a number that a file has kept. Pids are given out again, in a container after every
 * start, so a pid goes with its start time wherever the system tells one (Linux). A zombie counts as gone.
 */
import { readFileSync } from 'node:fs';

export interface ProcessMark {
  pid: number;
  /** Start time in the kernel's ticks since boot; empty where the system does not tell. */
  startTicks: string;
}

interface LinuxStat {
  state: string;
  startTicks: string;
}

/** The mark of a process that runs now; null when there is none with this pid. */
export function markOf(pid: number): ProcessMark | null {
  if (!exists(pid)) return null;
  if (process.platform !== 'linux') return { pid, startTicks: '' };
  const stat = linuxStat(pid);
  return stat === null || stat.state === 'Z' || stat.state === 'X' ? null : { pid, startTicks: stat.startTicks };
}

/** True while this very process runs, and not merely one with the same pid. */
export function isAlive(mark: ProcessMark): boolean {
  const now = markOf(mark.pid);
  return now !== null && (mark.startTicks === '' || now.startTicks === mark.startTicks);
}

/** The command line that a process was started with; null where the system does not tell. */
export function commandLineOf(pid: number): string[] | null {
  if (process.platform !== 'linux') return null;
  const text = readProc(`/proc/${pid}/cmdline`);
  return text === null ? null : text.split('\0').filter((part) => part !== '');
}

function exists(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'; // somebody else's, but there
  }
}

function linuxStat(pid: number): LinuxStat | null {
  const text = readProc(`/proc/${pid}/stat`);
  if (text === null) return null;
  // `pid (name) state …`: the name may hold spaces and brackets; fields count from the last bracket, state is the 3rd.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTicks: fields[22 - 3] ?? '' };
}

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // it ended between two looks
  }
}
