/** What a handler of a route is: a total mapped type over the route table, so that a missing one does not compile. */
import type { BodyOf, ParamsOf, QueryOf, ReplyOf, Route } from '#queue/contract/http';
import type { Routes } from '#queue/contract/http-routes';
import type { ApiMetrics } from './api-metrics';
import type { Auditor } from './auditor';
import type { Authenticator, Identity } from './auth';
import type { FleetView } from './fleet-view';
import type { ServerDeps } from './settings';

/** A request that has passed every check of its route. */
export interface Call<R extends Route> {
  params: ParamsOf<R>;
  query: QueryOf<R>;
  body: BodyOf<R>;
  caller: Identity;
  /** For headers, and for routes that read their body themselves. */
  request: Request;
}

export type Handler<R extends Route> = (call: Call<R>) => Promise<ReplyOf<R, Response>>;
export type Handlers = { readonly [Name in keyof Routes]: Handler<Routes[Name]> };
/** The handlers of one file of the table. */
export type HandlersOf<Table extends Record<string, Route>> = { readonly [Name in keyof Table]: Handler<Table[Name]> };

export interface HandlerDeps extends ServerDeps {
  fleet: FleetView;
  auditor: Auditor;
  authenticator: Authenticator;
  apiMetrics: ApiMetrics;
}
