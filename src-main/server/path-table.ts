/** Which methods a path is served with: to tell a path that is unknown from a method that is. */
import type { Method, Route } from '#queue/contract/http';

export interface PathPattern {
  pattern: RegExp;
  method: Method;
}

/** `/api/tasks/{id}` as Hono writes it. */
export const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

export function pathPatterns(table: Readonly<Record<string, Route>>): PathPattern[] {
  return Object.values(table).flatMap((route) =>
    [route.path, ...(route.aliases ?? [])].map((path) => ({
      pattern: new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}/?$`),
      method: route.method,
    })),
  );
}

/** The value of `Allow`; null for a path that is not in the table. */
export function allowedMethods(patterns: readonly PathPattern[], path: string): string | null {
  const methods = new Set<string>();
  for (const { pattern, method } of patterns) {
    if (!pattern.test(path)) continue;
    methods.add(method);
    if (method === 'GET') methods.add('HEAD');
  }
  return methods.size === 0 ? null : [...methods, 'OPTIONS'].join(', ');
}
