import { setTimeout as wait } from 'node:timers/promises';
import { defineHandler } from 'millrace';

export default [
  defineHandler({ type: 'noop', run: () => null }),
  defineHandler({ type: 'wait', run: () => wait(20, null) }),
  defineHandler({
    type: 'spin',
    run: () => {
      for (const end = performance.now() + 1; performance.now() < end; );
      return null;
    },
  }),
  defineHandler({
    type: 'flaky',
    run: ({ task }) => {
      if (task.attempt === 1) throw new Error('the first attempt fails');
      return null;
    },
  }),
  // Milliseconds between the producer's stamp and this moment, on one machine's clock.
  defineHandler({ type: 'stamp', run: ({ payload }) => performance.timeOrigin + performance.now() - payload.at }),
];
