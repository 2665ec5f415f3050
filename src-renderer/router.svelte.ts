/** Which view is shown, from the part of the address behind `#`: works from a file as well as from a server. */
import type { TaskStatus } from '#queue/contract/lifecycle';
import { queryOfOldLink } from './query/query-edits';

export const VIEWS = [
  'overview',
  'failures',
  'tasks',
  'queues',
  'workers',
  'submit',
  'operations',
  'metrics',
  'audit',
  'settings',
] as const;
export type View = (typeof VIEWS)[number];

/** `#/queues/emails?range=6h` is `{ view: 'queues', rest: ['emails'], query: { range: '6h' } }`. */
export interface Route {
  readonly view: View;
  /** What follows the view in the path, decoded. */
  readonly rest: readonly string[];
  readonly query: Readonly<Record<string, string>>;
}

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a bare % in a hand-written address
  }
};

/** An unknown view is the overview. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const [first, ...rest] = path.split('/').filter((part) => part !== '');
  const view = VIEWS.find((known) => known === first);
  if (view === undefined) return { view: 'overview', rest: [], query: {} };
  return { view, rest: rest.map(decode), query: Object.fromEntries(new URLSearchParams(query)) };
}

/** Values of the query that are empty, null or undefined are left out. */
export function href(
  view: View,
  rest: readonly string[] = [],
  query: Readonly<Record<string, string | null | undefined>> = {},
): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) params.set(name, value);
  const path = [view, ...rest.map(encodeURIComponent)].join('/');
  return params.size === 0 ? `#/${path}` : `#/${path}?${params}`;
}

/** What links from other screens narrow the task list to. */
export interface TasksLink {
  readonly status?: TaskStatus | '';
  readonly queue?: string;
  readonly type?: string;
  readonly text?: string;
}

/** The task list, narrowed; with a task's id its inspector is open. */
export const tasksHref = (link: TasksLink, taskId: string | null = null): string =>
  href('tasks', [], {
    query: queryOfOldLink({
      status: link.status ?? '',
      queue: link.queue ?? '',
      type: link.type ?? '',
      q: link.text ?? '',
    }),
    id: taskId,
  });

/** The query and the open task of a `tasks` route, also of a link that an older console has made. */
export const tasksOf = ({ rest, query }: Route): { query: string; taskId: string | null; wholePage: boolean } => ({
  query: query.query ?? queryOfOldLink(query),
  taskId: rest[0] ?? query.id ?? null,
  wholePage: rest.length > 0,
});

export class Router {
  route = $state.raw<Route>({ view: 'overview', rest: [], query: {} });
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

  /** Changes parts of the query of the view that is shown; null removes one. Leaves no step behind. */
  narrow(query: Readonly<Record<string, string | null>>): void {
    const { view, rest, query: known } = this.route;
    this.go(href(view, rest, { ...known, ...query }), { replace: true });
  }

  back(): void {
    this.#window.history.back();
  }

  forward(): void {
    this.#window.history.forward();
  }

  stop(): void {
    this.#window.removeEventListener('hashchange', this.#read);
  }
}
