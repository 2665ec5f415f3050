/**
 * The life of every background part: remembers in the constructor, works between `start` and `stop`.
 * The idea is River's `startstop`.
 */
export interface Service {
  readonly name: string;
  /** Ready when it resolves. */
  start(): Promise<void>;
  /** Idempotent, and safe before `start`. */
  stop(): Promise<void>;
}

/** Starts in order; when one fails, those that run are stopped in reverse and the failure is thrown. */
export async function startAll(services: readonly Service[]): Promise<void> {
  const started: Service[] = [];
  try {
    for (const service of services) {
      await service.start();
      started.push(service);
    }
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

/** Stops in reverse order; one that fails to stop does not keep the others running, its error is thrown at the end. */
export async function stopAll(services: readonly Service[]): Promise<void> {
  const errors: unknown[] = [];
  for (const service of [...services].reverse()) {
    await service.stop().catch((error: unknown) => errors.push(error));
  }
  if (errors.length > 0)
    throw new AggregateError(errors, `could not stop ${errors.length} of ${services.length} services`);
}
