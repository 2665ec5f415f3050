/** Everybody who works with the servers of a soak while something else happens. */
import { ApiClient, Requeues } from './api-client';
import type { Fleet } from './fleet';
import type { Seeded } from './seeded';
import { StreamFollower } from './stream-follower';
import { produce, Submissions } from './submissions';

const CAREFUL = 3;
const CARELESS = 1;
const API_CLIENTS = 2;

export class Load {
  readonly submissions = new Submissions();
  readonly clients: readonly ApiClient[];
  /** Of the steady server, of one that is killed, and one that cuts its own connections. */
  readonly followers: readonly StreamFollower[];
  readonly #fleet: Fleet;
  readonly #seeded: (n: number) => Seeded;
  readonly #following: Promise<unknown>;

  constructor(fleet: Fleet, seeded: (n: number) => Seeded) {
    this.#fleet = fleet;
    this.#seeded = seeded;
    const requeues = new Requeues();
    this.clients = Array.from(
      { length: API_CLIENTS },
      (_, n) => new ApiClient(fleet, seeded(10 + n), this.submissions, requeues),
    );
    this.followers = [0, 1, 0].map((n) => new StreamFollower(fleet.base(n)));
    this.#following = Promise.all(this.followers.map((follower, n) => follower.follow(n === 2 ? seeded(20) : null)));
  }

  /** Producers and clients of the API work as long as this takes. */
  async during(happening: () => Promise<void>): Promise<void> {
    const end = new AbortController();
    const producers = Array.from({ length: CAREFUL + CARELESS }, (_, n) => {
      const how = { careful: n < CAREFUL, seeded: this.#seeded(n), until: end.signal };
      return produce(this.#fleet, n, how, this.submissions);
    });
    const clients = this.clients.map((client) => client.work(end.signal));
    try {
      await happening();
    } finally {
      end.abort();
    }
    await Promise.all([...producers, ...clients]);
  }

  /** The ones that follow the events go on until here. */
  async stop(): Promise<void> {
    for (const follower of this.followers) follower.stop();
    await this.#following;
  }
}
