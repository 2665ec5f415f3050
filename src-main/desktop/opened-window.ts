/** A window and what belongs to it. */
import type { BrowserWindow } from 'electron';
import type { FailureAlarm } from './failure-alarm';
import type { ServerWatch } from './server-watch';
import type { HostedServer, Target } from './target';

export interface OpenedWindow {
  window: BrowserWindow;
  /** Of its place. */
  key: string;
  /** The one origin that it shows. */
  origin: string;
  /** Null for the start page, like all that follows. */
  target: Target | null;
  server: HostedServer | null;
  watch: ServerWatch | null;
  alarm: FailureAlarm | null;
  /** Dead letters; null until the queue has told. */
  failed: number | null;
}
