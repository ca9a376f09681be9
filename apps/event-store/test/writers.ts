import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { v7 } from 'uuid';

/** What one writer knows of its stream. */
export interface Written {
  readonly stream: string;
  /** The ids of acknowledged events, in order. */
  readonly acknowledged: string[];
  /** The append that had no answer, or an error for one: it may be there or not. */
  doubtful: string | undefined;
}

export const aWriter = (stream: string): Written => ({ stream, acknowledged: [], doubtful: undefined });

export const single = (id: string) => jsonEvent({ id, type: 'Written', data: { id, text: 'x'.repeat(200) } });

/** Writes to its stream, an event after the other, until an append fails; each acknowledgement is told. */
export async function write(client: EventStoreDBClient, writer: Written, acknowledged: () => void): Promise<void> {
  for (;;) {
    const id = v7();
    writer.doubtful = id;
    try {
      await client.appendToStream(writer.stream, single(id), { deadline: 5000 });
    } catch {
      return;
    }
    writer.acknowledged.push(id);
    writer.doubtful = undefined;
    acknowledged();
  }
}

/** Counts, and resolves when so many have come. */
export function countTo(enough: number): { readonly one: () => void; readonly reached: Promise<void> } {
  let count = 0;
  let reach: () => void;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const one = () => {
    count += 1;
    if (count === enough) reach();
  };
  return { one, reached };
}

/** Sends the doubtful append again, twice: it is there once then. */
export async function settle(client: EventStoreDBClient, writer: Written): Promise<void> {
  const { stream, doubtful, acknowledged } = writer;
  if (doubtful === undefined) return;
  await client.appendToStream(stream, single(doubtful));
  await client.appendToStream(stream, single(doubtful));
  acknowledged.push(doubtful);
  writer.doubtful = undefined;
}

/** Every acknowledged event is in the stream, once, in order, and the revisions have no gaps. */
export async function expectAcknowledged(client: EventStoreDBClient, writer: Written): Promise<void> {
  const ids: string[] = [];
  const revisions: number[] = [];
  if (writer.acknowledged.length > 0) {
    for await (const { event } of client.readStream(writer.stream)) {
      ids.push(event?.id ?? '');
      revisions.push(Number(event?.revision));
    }
  }
  expect(ids).toEqual(writer.acknowledged);
  expect(revisions).toEqual(ids.map((_, revision) => revision));
}
