/** What the hub knows of one client: what it listens to, and how far it is. */
import type { ClientFrame } from '#queue/contract/stream';
import type { Channel } from './stream-channel';
import type { StreamConnection } from './stream-connection';
import { EVERYTHING, TopicSet } from './stream-topics';

export interface Client {
  readonly connection: StreamConnection;
  topics: TopicSet;
  channel: Channel;
  state: 'holding' | 'live' | 'lagging';
  /** It has chosen topics: the next choice adds to them. */
  chosen: boolean;
  /** Goes up whenever a snapshot that is being read is no longer wanted. */
  epoch: number;
  /** It was told `resync` and has had no snapshot since. */
  resyncTold: boolean;
  /** It changed its topics while it lagged and was not told the outcome. */
  answerDue: boolean;
}

/** The first choice replaces the default, later ones add; absent topics mean everything, in both directions. */
export function nextTopics(client: Client, frame: Exclude<ClientFrame, { type: 'pong' }>): TopicSet {
  if (frame.type === 'unsubscribe') return client.topics.without(frame.topics ?? client.topics.topics);
  const asked = frame.topics ?? EVERYTHING;
  return client.chosen ? client.topics.with(asked) : new TopicSet(asked);
}
