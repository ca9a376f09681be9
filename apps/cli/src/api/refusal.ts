import { Problem } from '#contracts';
import { BatonError, type Remedy } from '#platform';

/** What the gateway refused, in its own words: one sentence that names the cause and the way out. */
export class Refused extends BatonError {
  readonly remedy: Remedy;

  constructor(
    readonly status: number,
    readonly code: string,
    sentence: string,
  ) {
    super(sentence);
    this.remedy = status === 503 ? 'retry' : 'tell';
  }
}

/** Reads an error answer; one that is no problem document came from something else than a gateway. */
export function refusalOf(status: number, body: string, asked: string): Refused {
  const problem = readProblem(body);
  if (problem === undefined) {
    const what = `${asked} was answered with ${status}`;
    return new Refused(
      status,
      'not-a-gateway',
      `${what} and without a reason that Baton knows: check that the address is that of a Baton gateway of this version.`,
    );
  }
  return new Refused(status, problem.code, sentenceOf(problem));
}

function sentenceOf({ title, detail, errors = [] }: Problem): string {
  const said = detail ?? title;
  const unsaid = errors
    .filter(({ message }) => !said.toLowerCase().includes(message.toLowerCase()))
    .map((fault) => `${fault.field}: ${fault.message}`);
  return unsaid.length === 0 ? said : `${said.replace(/\.$/, '')}: ${unsaid.join('; ')}.`;
}

function readProblem(body: string): Problem | undefined {
  try {
    const problem = Problem.safeParse(JSON.parse(body));
    return problem.success ? problem.data : undefined;
  } catch {
    return undefined;
  }
}
