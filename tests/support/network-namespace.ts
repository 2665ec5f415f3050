/**
 * A network of its own for one process, with a link to the machine's: what happens on it happens in the kernel, not in a
 * proxy. Needs root. Gone with everything in it when the test ends, however it ends.
 */
import { execFileSync } from 'node:child_process';
import { Leftover } from './leftover';

/** Nobody's: what is sent there is dropped without a word. */
const NOWHERE = '02:00:00:00:00:01';
let made = 0;

export class NetworkNamespace implements AsyncDisposable {
  /** Of the machine, as seen from inside; of the inside. */
  readonly host: string;
  readonly #inside: string;
  readonly #name: string;
  readonly #leftover: Leftover;

  private constructor(name: string, third: number, leftover: Leftover) {
    this.#name = name;
    this.host = `10.213.${third}.1`;
    this.#inside = `10.213.${third}.2`;
    this.#leftover = leftover;
  }

  /** @returns null, and says why, where this machine lets nobody make one */
  static async make(): Promise<NetworkNamespace | null> {
    const id = `${process.pid}${made++}`;
    const name = `mr${id}`;
    const [out, inn] = [`mo${id}`, `mi${id}`];
    const leftover = new Leftover('ip link del "$2"; ip netns del "$1"', [name, out]);
    const space = new NetworkNamespace(name, 1 + ((process.pid + made * 101) % 250), leftover);
    try {
      ip('netns', 'add', name);
      ip('link', 'add', out, 'type', 'veth', 'peer', 'name', inn, 'netns', name);
      ip('addr', 'add', `${space.host}/24`, 'dev', out);
      ip('link', 'set', out, 'up');
      ip('-n', name, 'addr', 'add', `${space.#inside}/24`, 'dev', inn);
      ip('-n', name, 'link', 'set', inn, 'up');
      return space;
    } catch (error) {
      await leftover[Symbol.asyncDispose]();
      console.warn(`no network namespace can be made here: ${error instanceof Error ? error.message.trim() : error}`);
      return null;
    }
  }

  /** Before the words of a command that is to run inside. */
  get through(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** Packets are sent and come nowhere, both ways, as behind a firewall that drops. */
  drop(): void {
    ip('neigh', 'replace', this.#inside, 'lladdr', NOWHERE, 'dev', this.#outer, 'nud', 'permanent');
    ip('-n', this.#name, 'neigh', 'replace', this.host, 'lladdr', NOWHERE, 'dev', this.#inner, 'nud', 'permanent');
  }

  heal(): void {
    ip('neigh', 'del', this.#inside, 'dev', this.#outer);
    ip('-n', this.#name, 'neigh', 'del', this.host, 'dev', this.#inner);
  }

  /**
   * Shapes both directions: words of `tc`, as `netem delay 2s 1s`.
   * @returns false, and says why, where the kernel knows no such thing
   */
  shape(...how: string[]): boolean {
    try {
      run('tc', 'qdisc', 'add', 'dev', this.#outer, 'root', ...how);
      run('tc', '-n', this.#name, 'qdisc', 'add', 'dev', this.#inner, 'root', ...how);
      return true;
    } catch (error) {
      console.warn(`this kernel has no "${how[0]}": ${error instanceof Error ? error.message.trim() : error}`);
      return false;
    }
  }

  get #outer(): string {
    return this.#name.replace('mr', 'mo');
  }

  get #inner(): string {
    return this.#name.replace('mr', 'mi');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#leftover[Symbol.asyncDispose]();
  }
}

const ip = (...args: string[]) => run('ip', ...args);

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
