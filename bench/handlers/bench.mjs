import { defineHandler } from 'millrace';

export default [
  defineHandler({ type: 'noop', run: () => null }),
  // Milliseconds between the producer's stamp and this moment, on one machine's clock.
  defineHandler({ type: 'stamp', run: ({ payload }) => performance.timeOrigin + performance.now() - payload.at }),
];
