/** Does Redis, or a sentinel, let us in, and as whom? */
import { ProbeError, type ProbeTarget, probe } from '#queue/redis/probe';
import { type Finding, fail, ok, warn } from '../check';
import { secondsText } from './network';

export async function checkSignIn(target: ProbeTarget): Promise<Finding> {
  try {
    await probe(target, (connection) => connection.ping());
    return ok(target.password == null ? 'No password is needed.' : '');
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
    return signInProblem(error, target, target.username ?? null);
  }
}

function signInProblem(error: ProbeError, target: ProbeTarget, user: string | null): Finding {
  switch (error.code) {
    case 'auth':
      if (/without any password|no password is set/i.test(error.message)) {
        return fail(
          'A password was given, but this Redis has none.',
          'Leave the password out, or set one on the server.',
        );
      }
      return target.password == null
        ? fail('A password is needed.', 'Fill in the password, and the user where it is not the default one.')
        : fail(`User ${user ?? 'default'} or its password is wrong.`, 'Fill in both again. An ACL user must be “on”.');
    case 'loading':
      return warn('The server is reading its data.', 'Wait until it is done; tasks are accepted then.');
    case 'denied':
      return fail(`This user may not even PING: ${error.message}`, `ACL SETUSER ${user ?? 'default'} +@connection`);
    case 'timeout':
      return fail(
        `It accepts connections, but sends no answer within ${secondsText(target.timeoutMs ?? 0)}.`,
        target.tls ? 'Check that it is a Redis.' : 'Check that it is a Redis, and whether it expects TLS.',
      );
    case 'unreachable':
      return fail(
        `The connection broke: ${error.message}`,
        target.tls ? 'Check that this port speaks TLS.' : 'If the server expects TLS, turn it on.',
      );
    default:
      return fail(error.message, null);
  }
}
