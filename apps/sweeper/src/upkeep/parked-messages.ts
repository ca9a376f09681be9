import type { Bus, Parked } from '#bus';
import { Moment } from '#contracts';
import type { Finding, Findings } from '#log';

const AT_A_TIME = 20;

/** Tells of the messages that nobody could handle, each once; they wait for a person. */
export class ParkedMessages {
  private told = 0;

  constructor(
    private readonly bus: Pick<Bus, 'parkedSince'>,
    private readonly findings: Findings<'sweeper'>,
  ) {}

  /** @throws Unavailable */
  async round(): Promise<void> {
    const parked = await this.bus.parkedSince(this.told, AT_A_TIME);
    await this.findings.record(parked.map(told));
    this.told = parked.at(-1)?.number ?? this.told;
  }
}

function told({ number, reason, error, stream, durable, subject, sequence, at }: Parked): Finding<'sweeper'> {
  const since = Moment.safeParse(at);
  return {
    kind: 'message-parked',
    thing: `parked message ${number}: ${stream}/${durable}/${sequence}`,
    ...(since.success ? { since: since.data } : {}),
    sentence: `Message ${sequence} of ${stream} (${subject}) was parked for ${durable}: ${reason}.`,
    outcome: {
      mended: false,
      why: error.slice(0, 500) || reason,
      toDo: `\`npx baton parked show ${number}\`, then \`npx baton parked replay ${number}\` or \`npx baton parked drop ${number}\`. The run itself goes on by its log.`,
    },
  };
}
