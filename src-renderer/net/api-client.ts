/**
 * The REST API, typed by the contract's route table: what goes out is typed, what comes in is parsed. Fails only with
 * ApiError (and the caller's own abort). Knows the address and where the token comes from, and nothing of state.
 */
import type { BodyInputOf, Route, SuccessOf } from '#queue/contract/http';
import { type RouteName, type Routes, routes } from '#queue/contract/http-routes';
import { ApiError, problemError } from './api-error';

export interface ApiClientDeps {
  /** Origin, with a trailing slash: `http://127.0.0.1:8000/`. */
  baseUrl: string;
  fetch: typeof fetch;
  /** The token to send, null where none is needed. */
  token: () => string | null;
  /** Any request was answered 401. */
  onUnauthenticated: () => void;
}

type QueryValue = string | number | boolean | readonly string[] | readonly number[] | null | undefined;

/** Parts of a request. Query values that are null, undefined, empty lists or empty texts are left out. */
export interface ApiCall<R extends Route = Route> {
  params?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, QueryValue>>;
  body?: BodyInputOf<R>;
  signal?: AbortSignal | undefined;
}

export class ApiClient {
  readonly #deps: ApiClientDeps;

  constructor(deps: ApiClientDeps) {
    this.#deps = deps;
  }

  /** Calls a route by its name in the table. @throws {ApiError} with `fields` where the request is not valid */
  async call<Name extends RouteName>(name: Name, call: ApiCall<Routes[Name]> = {}): Promise<SuccessOf<Routes[Name]>> {
    return (await this.callWithText(name, call)).value;
  }

  /** The same with the answer as it was written: numbers have all their digits there. @throws {ApiError} */
  async callWithText<Name extends RouteName>(
    name: Name,
    { params = {}, query = {}, body, signal }: ApiCall<Routes[Name]> = {},
  ): Promise<{ value: SuccessOf<Routes[Name]>; text: string }> {
    const route: Route = routes[name];
    const path = route.path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(params[key] ?? ''));
    const { status, text } = await this.#fetch(route.method, path, { query, body, signal });
    const schema = route.replies[status]?.body;
    try {
      // The schema is the route's own for this status, which is what the return type says.
      const value = (schema === undefined ? null : schema.parse(JSON.parse(text))) as SuccessOf<Routes[Name]>;
      return { value, text };
    } catch (error) {
      throw ApiError.notUnderstood(status, error);
    }
  }

  /** Address of a route, to be opened or copied; carries no token. */
  urlOf(name: RouteName, params: Readonly<Record<string, string>> = {}): string {
    const path = routes[name].path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(params[key] ?? ''));
    return new URL(path.slice(1), this.#deps.baseUrl).href;
  }

  async #fetch(
    method: string,
    path: string,
    { query, body, signal }: { query: NonNullable<ApiCall['query']>; body: unknown; signal: AbortSignal | undefined },
  ): Promise<{ status: number; text: string }> {
    const { baseUrl, fetch, token, onUnauthenticated } = this.#deps;
    const url = new URL(path.slice(1), baseUrl);
    for (const [name, value] of Object.entries(query)) {
      if (value === null || value === undefined || value === '') continue;
      if (typeof value !== 'object') url.searchParams.set(name, String(value));
      else for (const each of value) url.searchParams.append(name, String(each)); // a comma may be part of one
    }
    const headers = new Headers();
    const bearer = token();
    if (bearer !== null) headers.set('authorization', `Bearer ${bearer}`);
    if (body !== undefined) headers.set('content-type', 'application/json');
    const init: RequestInit = { method, headers };
    if (body !== undefined) init.body = JSON.stringify(body);
    if (signal !== undefined) init.signal = signal;
    let status = 0;
    let text: string;
    try {
      const response = await fetch(url, init);
      status = response.status;
      text = await response.text();
    } catch (error) {
      signal?.throwIfAborted();
      throw ApiError.unreachable(error);
    }
    if (status === 401) onUnauthenticated();
    if (status < 200 || status > 299) throw problemError(status, text);
    return { status, text };
  }
}
