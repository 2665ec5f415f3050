/** Are the keys of the queues what Millrace makes them? And has the upkeep had to put something right? */
import { type ProbeConnection, type ProbedKeys, ProbeError, probeKeys } from '#queue/redis/probe';
import { type Finding, fail, ok, skipped, warn } from './check';

/** Faults that are told of. */
const MOST_TOLD = 10;

export async function checkQueues(connection: ProbeConnection, prefix: string): Promise<Finding> {
  try {
    const { queues, wrong, repaired } = await probeKeys(connection, prefix);
    if (wrong.length > 0)
      return fail(
        `${wrong.slice(0, MOST_TOLD).join('; ')}: its queue stands still`,
        'Find out who wrote there, then DEL the key: the upkeep puts the tasks back that it finds in no set.',
      );
    if (repaired.length > 0)
      return warn(
        `tasks or keys were damaged and put right: ${repaired.slice(0, MOST_TOLD).map(inWords).join('; ')}`,
        'Find out who writes to these keys beside Millrace; its log has each repair.',
      );
    return ok(`${queues} of them, their keys are what they should be`);
  } catch (error) {
    // Of a cluster, one node is looked at; and a user need not have these rights.
    if (!(error instanceof ProbeError) || (error.code !== 'denied' && !/MOVED/.test(error.message))) throw error;
    return skipped(`they cannot be looked at here: ${error.message}`);
  }
}

const inWords = ({ queue, count, lastAt }: ProbedKeys['repaired'][number]): string =>
  `${count} in ${queue}, the last at ${new Date(lastAt).toISOString()}`;
