/** Writes what people did into the audit log. A log that cannot be written does not undo what was done: it is told once. */
import type { Log } from '#queue/kernel/log';
import type { Identity } from './auth';
import type { AuditLog } from './ports';

export class Auditor {
  readonly #audit: AuditLog;
  readonly #log: Log;

  constructor(audit: AuditLog, log: Log) {
    this.#audit = audit;
    this.#log = log;
  }

  /** What must not happen unseen: to be called before it is done. @throws what the log throws: then it may not be done */
  recordFirst(caller: Identity, action: string, target: string, detail: string | null = null): Promise<void> {
    return this.#audit.append({ by: caller.name, action, target, detail });
  }

  /** @param action dotted: what kind of thing, and what was done to it; such as `queue.pause` */
  async record(caller: Identity, action: string, target: string, detail: string | null = null): Promise<void> {
    try {
      await this.#audit.append({ by: caller.name, action, target, detail });
    } catch (error) {
      this.#log.error('could not write the audit log', { error, action, target, by: caller.name });
    }
  }
}
