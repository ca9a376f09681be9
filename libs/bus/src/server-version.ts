const OLDEST = '2.9.10';

/** What makes a server unfit for Baton, as one sentence with the way out; undefined when it is fit. */
export function serverProblem(
  info: { readonly version: string; readonly jetstream?: boolean } | undefined,
): string | undefined {
  if (info === undefined) return 'The server did not say what it is; is it a nats-server?';
  if (isOlder(info.version, OLDEST)) {
    return `The nats-server is version ${info.version}; Baton needs ${OLDEST} or newer, because older ones ignore settings that it relies on. Upgrade nats-server.`;
  }
  return info.jetstream === true
    ? undefined
    : 'The nats-server runs without JetStream; start it with -js and a storage folder (-sd DIR).';
}

function isOlder(version: string, than: string): boolean {
  const given = numbers(version);
  const wanted = numbers(than);
  const at = wanted.findIndex((part, i) => part !== given[i]);
  return at >= 0 && (given[at] ?? 0) < (wanted[at] ?? 0);
}

const numbers = (version: string): number[] => version.split(/[.-]/, 3).map(Number);
