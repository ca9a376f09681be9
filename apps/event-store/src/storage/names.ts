import type { Database } from './database.js';

/** The event types that exist. They are few, so all of them are kept in memory. */
export class EventTypes {
  private readonly ids = new Map<string, number>();
  private readonly names = new Map<number, string>();
  private readonly insert;

  constructor(private readonly database: Database) {
    this.insert = database.prepare('INSERT INTO types (name) VALUES (?) RETURNING id');
    this.reload();
  }

  /** After a rolled-back transaction: what it had added is gone. */
  reload(): void {
    this.ids.clear();
    this.names.clear();
    for (const { id, name } of this.database.prepare('SELECT id, name FROM types').all() as {
      id: number;
      name: string;
    }[])
      this.remember(id, name);
  }

  idOf(name: string): number {
    return this.ids.get(name) ?? this.remember((this.insert.get(name) as { id: number }).id, name);
  }

  nameOf(id: number): string {
    return this.names.get(id) ?? '';
  }

  matching(accepts: (name: string) => boolean): number[] {
    return [...this.ids].filter(([name]) => accepts(name)).map(([, id]) => id);
  }

  get count(): number {
    return this.ids.size;
  }

  private remember(id: number, name: string): number {
    this.ids.set(name, id);
    this.names.set(id, name);
    return id;
  }
}

/** Keeps the most recently used entries, so that a million streams do not fill the memory. */
export class RecentMap<K, V> {
  private readonly entries = new Map<K, V>();

  constructor(private readonly limit: number) {}

  get(key: K): V | undefined {
    const value = this.entries.get(key);
    if (value !== undefined && this.entries.size * 2 > this.limit) {
      this.entries.delete(key);
      this.entries.set(key, value);
    }
    return value;
  }

  set(key: K, value: V): V {
    this.entries.set(key, value);
    if (this.entries.size > this.limit) {
      const oldest = this.entries.keys().next();
      if (!oldest.done) this.entries.delete(oldest.value);
    }
    return value;
  }

  clear(): void {
    this.entries.clear();
  }
}
