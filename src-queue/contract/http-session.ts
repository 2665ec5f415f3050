/** Routes about the connection itself: whom one talks to, safe mode, and how Redis does. */
import type { Route } from './http';
import { SafetyState, SessionInfo, SystemState, UnlockSession } from './session';

const SAFETY = { description: 'How it stands now', body: SafetyState };

export const sessionRoutes = {
  getSession: {
    method: 'GET',
    path: '/api/session',
    tag: 'system',
    role: 'viewer',
    summary: 'Which Redis this is, who calls, and what may be written now',
    replies: { 200: { description: 'The session', body: SessionInfo } },
    errors: [],
  },
  unlockSession: {
    method: 'POST',
    path: '/api/session/unlock',
    tag: 'access',
    role: 'operator',
    summary: 'Let a read-only connection write for some minutes',
    description:
      'For every caller of this server process, each within its role. It is audited, and refused where the audit cannot be written. It ends by itself, with `lock`, and with the process. Again: counted anew from now.',
    body: UnlockSession,
    whileReadOnly: 'allowed',
    replies: { 200: SAFETY },
    errors: ['CONFLICT'],
  },
  lockSession: {
    method: 'POST',
    path: '/api/session/lock',
    tag: 'access',
    role: 'operator',
    summary: 'End an unlock at once',
    whileReadOnly: 'allowed',
    replies: { 200: SAFETY },
    errors: ['CONFLICT'],
  },
  getSystem: {
    method: 'GET',
    path: '/api/system',
    tag: 'monitoring',
    role: 'viewer',
    summary: 'Latency, memory, connections and clock of Redis',
    description: 'At most two seconds old. Answers also while Redis does not.',
    replies: { 200: { description: 'How Redis does', body: SystemState } },
    errors: [],
  },
} as const satisfies Record<string, Route>;
