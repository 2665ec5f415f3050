/**
 * `millrace://task/<id>`: opens a task in the window that was used last. Such a link comes from anywhere, a web page too:
 * it is data. All it can say is one task id; everything else is dropped.
 */
import { TaskId } from '#queue/contract/primitives';

export const LINK_SCHEME = 'millrace';
const LINK_CHARS_MAX = 200;

/** @returns the screen that it leads to, `#/tasks?id=…`; null for anything that is no link of ours */
export function screenOfLink(link: string): string | null {
  if (link.length > LINK_CHARS_MAX) return null;
  const match = /^millrace:\/\/task\/([^/?#]+)\/?$/i.exec(link);
  const id = TaskId.safeParse(match?.[1]?.toUpperCase());
  return id.success ? `#/tasks?id=${id.data}` : null;
}

/** The link among the arguments of a process, as Linux and Windows hand it over; the first one that is one. */
export function linkAmong(args: readonly string[]): string | null {
  return args.find((arg) => screenOfLink(arg) !== null) ?? null;
}
