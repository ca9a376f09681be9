import { Misconfigured, messageOf } from '#platform';
import { filterOf } from '../services/filter-option.js';
import { isAbsent } from '../storage/streams.js';
import { ALL } from '../storage/wakeups.js';
import { configuration, type FilterDefinition, type GroupDefinition } from './definition.js';
import { Group, type Journal } from './group.js';
import { jsonEvent, writeNewest } from './journal.js';
import { CONFIG_STREAM, checkpointStreamOf, groupId, parkedStreamOf } from './names.js';
import { groupExists, groupMissing } from './refusals.js';
import { allSource, streamSource } from './source.js';

/**
 * All persistent subscriptions of the server. The newest event of `$persistentSubscriptionConfig` says which there are.
 * Changes come one after the other; each is recorded before it counts.
 */
export class Groups {
  private readonly known = new Map<string, Group>();
  /** Why it is not known which groups there are; then nothing is done to any, and streams are served all the same. */
  private unreadable: Misconfigured | undefined;
  private changes: Promise<unknown> = Promise.resolve();

  constructor(private readonly journal: Journal) {
    this.load();
  }

  /** @throws Misconfigured when it is not known which there are. */
  private get groups(): Map<string, Group> {
    if (this.unreadable) throw this.unreadable;
    return this.known;
  }

  all(): Group[] {
    return [...this.groups.values()];
  }

  /** @throws Refusal when there is none. */
  get(stream: string, group: string): Group {
    const found = this.groups.get(groupId(stream, group));
    if (!found) throw groupMissing(stream, group);
    return found;
  }

  create(definition: GroupDefinition, by: string): Promise<void> {
    return this.change(async () => {
      const { stream, group } = definition;
      if (this.groups.has(groupId(stream, group))) throw groupExists(stream, group);
      const made = this.made(definition);
      await this.record([...this.definitions(), definition], by);
      this.groups.set(groupId(stream, group), made);
    });
  }

  /** Consumers are dropped and come back to the new settings; how far the group came, and its filter, stay. */
  update({ filter: _kept, ...changed }: GroupDefinition, by: string): Promise<void> {
    return this.change(async () => {
      const { stream, group } = changed;
      const { definition: before } = this.get(stream, group);
      const beginsBeyond = changed.startFrom === before.startFrom ? before.beginsBeyond : changed.beginsBeyond;
      const definition = { ...before, ...changed, beginsBeyond };
      await this.record([...this.definitions().filter((one) => one !== before), definition], by);
      await this.replace(definition);
    });
  }

  delete(stream: string, group: string, by: string): Promise<void> {
    return this.change(async () => {
      const gone = this.get(stream, group);
      // Submitted in one turn, all of it is one transaction.
      await Promise.all([
        this.record(
          this.definitions().filter((one) => one !== gone.definition),
          by,
        ),
        this.erase(parkedStreamOf(stream, group)),
        this.erase(checkpointStreamOf(stream, group)),
      ]);
      this.groups.delete(groupId(stream, group));
      gone.forget();
    });
  }

  /** As a restart of the server would do to persistent subscriptions: everybody is dropped and comes back. */
  restart(): Promise<void> {
    return this.change(async () => {
      await this.closeAll();
      for (const group of this.known.values()) group.drop();
      this.known.clear();
      this.load();
      if (this.unreadable) throw this.unreadable;
    });
  }

  /** Writes down how far each group came; consumers are left alone. */
  close(): Promise<void> {
    return this.change(() => this.closeAll());
  }

  private async closeAll(): Promise<void> {
    await Promise.all([...this.known.values()].map((group) => group.close()));
  }

  private async replace(definition: GroupDefinition): Promise<void> {
    const id = groupId(definition.stream, definition.group);
    const before = this.groups.get(id);
    await before?.close();
    this.groups.set(id, this.made(definition));
    before?.drop();
  }

  private change<T>(work: () => Promise<T>): Promise<T> {
    const result = this.changes.then(work);
    this.changes = result.catch(() => undefined);
    return result;
  }

  private definitions(): GroupDefinition[] {
    return this.all().map(({ definition }) => definition);
  }

  private made(definition: GroupDefinition): Group {
    const { log, reader } = this.journal;
    const { stream, filter } = definition;
    const source =
      stream === ALL ? allSource(log, reader, filter && compiled(filter)) : streamSource(log, reader, stream);
    return new Group(definition, source, this.journal);
  }

  private record(entries: readonly GroupDefinition[], updatedBy: string): Promise<void> {
    const event = jsonEvent('$PersistentConfig', {
      version: '2',
      updated: new Date().toISOString(),
      updatedBy,
      entries,
    });
    return writeNewest(this.journal.log, CONFIG_STREAM, event);
  }

  private async erase(stream: string): Promise<void> {
    const { log } = this.journal;
    if (!isAbsent(log.streams.get(stream))) await log.delete(stream, 'any');
  }

  private load(): void {
    const { log, reader } = this.journal;
    this.unreadable = undefined;
    try {
      const state = log.streams.get(CONFIG_STREAM);
      const [newest] = reader.readStream(state, state.last, 'backwards', 1);
      for (const definition of newest ? definitionsIn(newest.data) : [])
        this.known.set(groupId(definition.stream, definition.group), this.made(definition));
    } catch (error) {
      this.known.clear();
      this.unreadable = new Misconfigured(
        `The newest event of ${CONFIG_STREAM} does not say which persistent subscriptions there are (${messageOf(error)}): delete that stream, restart the subsystem and create them anew.`,
      );
    }
  }
}

const compiled = ({ on, regex, prefix }: FilterDefinition) => {
  const expression = { ...(regex === undefined ? {} : { regex }), ...(prefix ? { prefix } : {}) };
  return filterOf(
    on === 'stream'
      ? { filter: 'streamIdentifier', streamIdentifier: expression }
      : { filter: 'eventType', eventType: expression },
  );
};

const definitionsIn = (data: Uint8Array): readonly GroupDefinition[] =>
  configuration.parse(JSON.parse(Buffer.from(data).toString('utf8'))).entries;
