/** What the contract says of an answer, whatever was asked: a sentence for each rule that one breaks. */
import { ERRORS, type ErrorCode } from '#queue/contract/errors';
import { Problem, type Route } from '#queue/contract/http';
import { BODY_ERRORS, COMMON_ERRORS, WRITE_ERRORS } from '#queue/contract/http-routes';
import type { ExactAnswer, ExactRequest } from './exact-http';

/** Also on a busy machine: nothing that one request asks for may keep others waiting for longer. */
export const ANSWER_MS = 2000;

/** Of what is no request of this route, though it was sent to it. */
const ASIDE: readonly ErrorCode[] = ['BAD_REQUEST', 'NOT_FOUND', 'METHOD_NOT_ALLOWED'];

export function answerFaults(route: Route, request: ExactRequest, answer: ExactAnswer): string[] {
  const { status, ms } = answer;
  const faults: string[] = [];
  if (ms > ANSWER_MS) faults.push(`answered after ${Math.round(ms)} ms`);
  const ours = request.method === route.method; // else of another route on the same path, if of any
  if (status >= 400) return [...faults, ...problemFaults(ours ? route : null, answer)];
  if (!ours) return faults;
  const reply = route.replies[status];
  if (reply === undefined) return [...faults, `${status} is no answer of ${route.method} ${route.path}`];
  if (reply.body === undefined) return faults;
  const parsed = reply.body.safeParse(JSON.parse(answer.body.toString()));
  if (!parsed.success) faults.push(`the answer ${status} is not what the contract says: ${parsed.error.message}`);
  return faults;
}

export function problemFaults(route: Route | null, { status, headers, body }: ExactAnswer): string[] {
  if (headers['content-type'] !== 'application/problem+json')
    return [`${status} is told as ${headers['content-type']}: ${body.toString().slice(0, 200)}`];
  const { data: problem, error } = Problem.safeParse(JSON.parse(body.toString()));
  if (problem === undefined) return [`no problem document: ${error?.message}`];
  const code = Object.keys(ERRORS).find((known): known is ErrorCode => known === problem.code);
  if (code === undefined) return [`unknown code ${problem.code}`];
  const faults: string[] = [];
  if (ERRORS[code].status !== status || problem.status !== status)
    faults.push(`${code} is ${ERRORS[code].status}, and was told as ${problem.status} with ${status}`);
  if (code === 'INVALID' && (problem.errors ?? []).length === 0) faults.push('INVALID names no field');
  if (problem.detail === '' || problem.detail.length > 5000)
    faults.push(`a detail of ${problem.detail.length} characters`);
  if (code === 'INTERNAL' || (route !== null && !documented(route).includes(code)))
    faults.push(`${code} is not documented: ${problem.detail}`);
  return faults;
}

/** Redis is there in these tests, though it has no replica and its disk is not waited for: no route may say more. */
const documented = (route: Route): readonly ErrorCode[] =>
  [
    ...route.errors,
    ...COMMON_ERRORS,
    ...WRITE_ERRORS,
    ...BODY_ERRORS,
    ...ASIDE,
    ...(route.badParams ? [route.badParams] : []),
  ].filter((code) => code === 'NOT_DURABLE' || ERRORS[code].status !== 503);
