/** Which view is shown, from the part of the address behind `#`: works from a file as well as from a server. */
import { TASK_STATUSES } from '#queue/contract/lifecycle';
import type { ListFilter } from './stores/task-row';

export type Route =
  | { view: 'overview' }
  | { view: 'tasks'; filter: ListFilter; taskId: string | null }
  | { view: 'submit'; type: string };

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const params = new URLSearchParams(query);
  const text = (name: string) => params.get(name) ?? '';
  switch (path) {
    case 'tasks':
      return {
        view: 'tasks',
        filter: {
          status: TASK_STATUSES.find((status) => status === text('status')) ?? '',
          queue: text('queue'),
          type: text('type'),
          text: text('q'),
        },
        taskId: params.get('id'),
      };
    case 'submit':
      return { view: 'submit', type: text('type') };
    default:
      return { view: 'overview' };
  }
}

export function tasksHref(filter: Partial<ListFilter>, taskId: string | null = null): string {
  const params = new URLSearchParams();
  const given = { status: filter.status, queue: filter.queue, type: filter.type, q: filter.text, id: taskId };
  for (const [name, value] of Object.entries(given)) if (value) params.set(name, value);
  const query = params.toString();
  return query === '' ? '#/tasks' : `#/tasks?${query}`;
}

export class Router {
  route = $state.raw<Route>({ view: 'overview' });
  readonly #window: Window;
  readonly #read = () => {
    this.route = parseRoute(this.#window.location.hash);
  };

  constructor(window: Window) {
    this.#window = window;
    this.#read();
    window.addEventListener('hashchange', this.#read);
  }

  /** `replace` leaves no step behind in the history: for what is typed or chosen within a view. */
  go(href: string, options: { replace?: boolean } = {}): void {
    if (!options.replace) {
      this.#window.location.hash = href;
      return;
    }
    this.#window.history.replaceState(null, '', href);
    this.#read();
  }

  stop(): void {
    this.#window.removeEventListener('hashchange', this.#read);
  }
}
