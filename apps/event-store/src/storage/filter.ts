/** Which events of `$all` a reader wants. */
export interface Filter {
  readonly on: 'stream' | 'type';
  readonly accepts: (name: string) => boolean;
}

export const matchingPrefixes =
  (prefixes: readonly string[]) =>
  (name: string): boolean =>
    prefixes.some((prefix) => name.startsWith(prefix));
