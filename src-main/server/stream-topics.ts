/**
 * What a client listens to, as a value: sorted, without repeats, so that two clients with the same wish
 * share one channel and one numbering.
 */
import type { TaskId } from '#queue/contract/primitives';

/** What a client gets that asks for nothing in particular. */
export const EVERYTHING: readonly string[] = ['alerts', 'operations', 'queues', 'stats', 'system', 'tasks', 'workers'];

const QUEUE = 'queue:';
const TASK = 'task:';

export class TopicSet {
  /** Sorted, no repeats. */
  readonly topics: readonly string[];
  /** Equal for equal sets; no topic holds a space. */
  readonly key: string;
  readonly #set: ReadonlySet<string>;
  readonly #allTasks: boolean;
  readonly #anyTasks: boolean;

  constructor(topics: Iterable<string>) {
    this.topics = [...new Set(topics)].sort();
    this.key = this.topics.join(' ');
    this.#set = new Set(this.topics);
    this.#allTasks = this.#set.has('tasks');
    this.#anyTasks = this.#allTasks || this.topics.some((topic) => topic.startsWith(QUEUE) || topic.startsWith(TASK));
  }

  has(topic: string): boolean {
    return this.#set.has(topic);
  }

  /** Whether changes of this task belong to the set. */
  wants(queue: string, id: TaskId): boolean {
    return this.#allTasks || (this.#anyTasks && (this.#set.has(QUEUE + queue) || this.#set.has(TASK + id)));
  }

  /** Whether someone who followed this set has seen everything that `other` asks for. */
  covers(other: TopicSet): boolean {
    return other.topics.every(
      (topic) => this.#set.has(topic) || (this.#allTasks && (topic.startsWith(QUEUE) || topic.startsWith(TASK))),
    );
  }

  with(topics: readonly string[]): TopicSet {
    return new TopicSet([...this.topics, ...topics]);
  }

  without(topics: readonly string[]): TopicSet {
    const gone = new Set(topics);
    return new TopicSet(this.topics.filter((topic) => !gone.has(topic)));
  }
}
