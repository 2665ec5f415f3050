/** The form that starts or changes a pool: text as it is typed, the request that it makes, the faults it came back with. */
import type { FieldError } from '#queue/contract/errors';
import type { CreatePool, Pool } from '#queue/contract/worker';

const FIELDS = ['name', 'queues', 'concurrency', 'processes', 'handlers', 'min', 'max', 'target'] as const;
export type PoolField = (typeof FIELDS)[number];

export class PoolForm {
  name = $state('');
  /** `emails=3, default`, as on the command line. */
  queues = $state('*');
  concurrency = $state('10');
  processes = $state('1');
  handlers = $state('');
  autoscale = $state(false);
  min = $state('1');
  max = $state('4');
  target = $state('30');
  faults = $state.raw<readonly FieldError[]>([]);

  constructor(pool: Pool | null) {
    if (pool === null) return;
    this.name = pool.name;
    this.queues = pool.queues.map(({ name, weight }) => (weight === 1 ? name : `${name}=${weight}`)).join(', ');
    this.concurrency = String(pool.concurrency);
    this.processes = String(pool.processes);
    this.handlers = pool.handlers ?? '';
    if (pool.autoscale === null) return;
    this.autoscale = true;
    this.min = String(pool.autoscale.min);
    this.max = String(pool.autoscale.max);
    this.target = String(pool.autoscale.target_latency);
  }

  /** What is typed is sent as it is: the API says what does not fit. */
  get request(): CreatePool {
    return {
      name: this.name.trim(),
      queues: parts(this.queues).map(queueOf),
      concurrency: numberOf(this.concurrency),
      processes: numberOf(this.processes),
      handlers: this.handlers.trim() === '' ? null : this.handlers.trim(),
      autoscale: this.autoscale
        ? { min: numberOf(this.min), max: numberOf(this.max), target_latency: numberOf(this.target) }
        : null,
    };
  }

  /** What is wrong with a field, in words that follow its label; empty where nothing is. */
  errorOf(field: PoolField): string {
    const fault = this.faults.find(({ path }) => fieldOf(path) === field);
    if (fault === undefined) return '';
    const index = /^queues\.(\d+)/.exec(fault.path)?.[1];
    return index === undefined ? fault.message : `${parts(this.queues)[Number(index)] ?? ''} ${fault.message}`;
  }

  /** Faults of no field that the form shows. */
  get otherFaults(): readonly FieldError[] {
    return this.faults.filter(({ path }) => fieldOf(path) === null);
  }
}

/** The field that shows a fault of this path of the request. */
function fieldOf(path: string): PoolField | null {
  const [first = '', second] = path.split('.');
  if (first !== 'autoscale') return FIELDS.find((field) => field === first) ?? null;
  return second === 'max' ? 'max' : second === 'target_latency' ? 'target' : 'min';
}

const parts = (text: string): string[] => text.split(/[\s,]+/).filter((part) => part !== '');

function queueOf(part: string): { name: string; weight: number } {
  const [name = '', weight] = part.split('=');
  return { name, weight: weight === undefined ? 1 : numberOf(weight) };
}

/** What is no number becomes null in JSON, and is refused by the API with the name of its field. */
const numberOf = (text: string): number => (text.trim() === '' ? Number.NaN : Number(text.trim()));
