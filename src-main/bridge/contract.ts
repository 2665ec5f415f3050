/**
 * The bridge between a window and the desktop around it: one total map of the calls, and of the events that come the
 * other way. It carries only what needs the desktop; tasks and queues go over the API, as in any browser. Every call
 * is checked twice in the main process: who asks (the frame's origin), and what (these schemas).
 *
 * In a page it is `window.millrace`, and undefined in a browser. A call that fails rejects with a sentence for people.
 */
import { z } from 'zod';
import type { BridgeCalls, CallFunctions } from './calls';
import type { ProfilesApi } from './profiles-contract';

/** Text that one file may carry over the bridge, characters: room for what the API takes in one upload. */
export const FILE_CHARS_MAX = 64 * 1024 * 1024;

/** A list of what a file dialog offers, such as `{ name: 'Tasks', extensions: ['jsonl', 'csv'] }`. */
export const FileFilter = z.object({
  name: z.string().min(1).max(60),
  extensions: z
    .array(z.string().regex(/^(\*|[a-z0-9]{1,10})$/i))
    .min(1)
    .max(20),
});

export const Theme = z.enum(['light', 'dark', 'system']);
export const Environment = z.enum(['local', 'dev', 'staging', 'production']);
export type Environment = z.infer<typeof Environment>;

export const Platform = z.object({
  os: z.enum(['linux', 'darwin', 'win32', 'other']),
  version: z.string().describe('Of Millrace.'),
  electron: z.string(),
  secretsEncrypted: z.boolean().describe('Whether the keychain of the system keeps our secrets.'),
});
export type Platform = z.infer<typeof Platform>;

/** What a window shows: the start page, or the queue of one profile. */
export const WindowFacts = z.object({
  kind: z.enum(['start', 'console']),
  /** Null for the start page, and for a Redis that was named by the command line or the environment. */
  profileId: z.string().nullable(),
  name: z.string(),
  environment: Environment.nullable(),
});
export type WindowFacts = z.infer<typeof WindowFacts>;

const nothing = z.void();

export const CALLS = {
  platform: { args: z.tuple([]), reply: Platform },
  /** What this window shows; a page asks before it draws its frame. */
  windowFacts: { args: z.tuple([]), reply: WindowFacts },
  /** Bearer token of the API that this window talks to; null where it needs none. Never in a URL. */
  token: { args: z.tuple([]), reply: z.string().nullable() },
  /** The frame and menus of the system follow the page's theme. */
  setTheme: { args: z.tuple([Theme]), reply: nothing },
  /** Asks the user first. @returns false where the address is not allowed, or they said no */
  openExternal: { args: z.tuple([z.url().max(2000)]), reply: z.boolean() },
  /** @returns the path, null when the dialog was closed */
  saveFile: {
    args: z.tuple([z.object({ name: z.string().min(1).max(200), text: z.string().max(FILE_CHARS_MAX) })]),
    reply: z.string().nullable(),
  },
  /** One text file that the user picks; null when the dialog was closed. */
  openFile: {
    args: z.tuple([z.object({ filters: z.array(FileFilter).max(10) })]),
    reply: z.object({ name: z.string(), text: z.string() }).nullable(),
  },
  /** A path that the user picks, for settings that name a file or a folder of this machine. */
  pickPath: {
    args: z.tuple([z.object({ kind: z.enum(['file', 'folder']), filters: z.array(FileFilter).max(10) })]),
    reply: z.string().nullable(),
  },
  /** Opens the folder of the log in the system's file manager. */
  showLogs: { args: z.tuple([]), reply: nothing },
  /** Opens the start page, or brings it to the front. */
  switchProfile: { args: z.tuple([]), reply: nothing },
} as const satisfies BridgeCalls;
export type AppCalls = typeof CALLS;

/** What a menu asks of the page: ids of the page's own commands. */
export const MenuCommand = z.enum(['palette', 'inspector', 'shortcuts', 'time', 'back', 'forward']);
export type MenuCommand = z.infer<typeof MenuCommand>;

/** From the main process to the page. Going to a screen (`#/tasks`) is no event: the preload sets the hash. */
export const EVENTS = {
  command: MenuCommand,
} as const satisfies Record<string, z.ZodType>;
export type EventName = keyof typeof EVENTS;
export type EventValue<Name extends EventName> = z.infer<(typeof EVENTS)[Name]>;

/** `window.millrace`. */
export interface Bridge extends CallFunctions<AppCalls> {
  /** Answered on the start page only. */
  readonly profiles: ProfilesApi;
  /** @returns ends it */
  on<Name extends EventName>(name: Name, listener: (value: EventValue<Name>) => void): () => void;
}
