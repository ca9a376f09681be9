import { BatonError, messageOf } from '#platform';
import { bodyOf } from '../src/network/body.js';
import { send } from '../src/network/request.js';

/**
 * Asks the addresses that it is given, one after the other, and prints what came of each as JSON. A process of its own:
 * which authorities Node trusts is said by its environment when it starts. The test's server stands for the public
 * internet, and names that begin with `inside` for what is not.
 */
const reach = {
  allows: (address: string) => address === '127.0.0.1',
  resolve: (host: string) =>
    Promise.resolve([{ address: host.startsWith('inside') ? '10.0.0.1' : '127.0.0.1', family: 4 }]),
};

for (const url of process.argv.slice(2)) {
  const out = { method: 'POST', headers: { 'x-token': 'secret' }, body: '{}', signal: AbortSignal.timeout(20_000) };
  const came = await send(new URL(url), out, reach).then(
    async (answer) => ({ status: answer.statusCode, body: (await bodyOf(answer, 1_000)).bytes.toString() }),
    (error: unknown) => ({
      code: error instanceof BatonError ? error.code : 'unforeseen',
      sent: error instanceof Error && 'sent' in error && error.sent,
      message: messageOf(error),
    }),
  );
  process.stdout.write(`${JSON.stringify(came)}\n`);
}
