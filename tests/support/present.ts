/** What hooks of a test file make before each test. @throws where it is asked for outside of a test */
export function present<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('there is one while a test runs');
  return part;
}
