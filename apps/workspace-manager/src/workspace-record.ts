import { type RunId, SCHEMA_VERSION, streams, type WorkspaceEvent } from '#contracts';
import type { EventLog } from '#log';
import { type Clock, idOf } from '#platform';

/** What this manager records in the streams of workspaces. */
export class WorkspaceRecord {
  constructor(
    private readonly log: Pick<EventLog, 'append'>,
    private readonly clock: Clock,
    private readonly holder: string,
  ) {}

  facts(runId: RunId): { at: string; runId: RunId; holder: string } {
    return { at: new Date(this.clock.now()).toISOString(), runId, holder: this.holder };
  }

  /** @throws WrongRevision, Unavailable */
  async append(event: WorkspaceEvent, expected: 'absent' | 'any' = 'any'): Promise<void> {
    const { runId } = event.data;
    const metadata = {
      tenant: 'default',
      correlationId: runId,
      actor: { kind: 'service', id: `workspace-manager/${this.holder}` },
      schemaVersion: SCHEMA_VERSION,
    };
    const id = idOf(`${event.type}/${runId}/${this.occasion(event)}`);
    await this.log.append(streams.workspace(runId), [{ id, ...event, metadata }], expected);
  }

  /** What can happen once is one event, also when it is repeated after an answer that got lost. */
  private occasion({ type, data }: WorkspaceEvent): string {
    if (type === 'WorkspaceCreated') return this.holder;
    return type === 'OutputKept' ? `${data.callId}/${data.whole.digest}` : data.at;
  }
}
