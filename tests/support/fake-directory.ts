/** The directory of workers in memory. */
import type { WorkerBeat, WorkerCommand, WorkerDirectory } from '#queue/engine/ports';

export class FakeDirectory implements Pick<WorkerDirectory, 'beat' | 'goodbye' | 'announceTypes'> {
  readonly beats: WorkerBeat[] = [];
  readonly announced: string[][] = [];
  readonly commands: WorkerCommand[] = [];
  goodbyes = 0;
  failing = false;

  async beat(worker: WorkerBeat): Promise<WorkerCommand[]> {
    if (this.failing) throw new Error('Redis went away');
    this.beats.push(worker);
    return this.commands.splice(0);
  }

  async announceTypes(types: readonly { task_type: string }[]): Promise<void> {
    if (this.failing) throw new Error('Redis went away');
    this.announced.push(types.map((type) => type.task_type));
  }

  async goodbye(): Promise<void> {
    this.goodbyes++;
  }
}
