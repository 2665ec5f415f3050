import { expect, it } from 'vitest';
import { isTransient } from '#queue/redis/repetition';

it.each([
  "Cluster isn't ready and enableOfflineQueue options is false",
  "Stream isn't writeable and enableOfflineQueue options is false",
  'Connection is closed.',
  "Socket timeout. Expecting data, but didn't receive any in 1500ms.",
  'LOADING Redis is loading the dataset in memory',
  "READONLY You can't write against a read only replica.",
  'CLUSTERDOWN The cluster is down',
  'ERR Script attempted to access a non local key in a cluster node',
])('calls again after: %s', (message) => {
  expect(isTransient(new Error(message))).toBe(true);
});

it.each(['WRONGTYPE Operation against a key holding the wrong kind of value', 'OOM command not allowed', 'NOPERM'])(
  'does not after: %s',
  (message) => {
    expect(isTransient(new Error(message))).toBe(false);
  },
);
