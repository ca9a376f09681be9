/**
 * The regular expression of a glob: `*` and `?` within a name, `**` across folders, `[abc]`, `{a,b}`. One without a slash
 * is looked for in every folder.
 */
export function patternOfGlob(glob: string): string {
  const anchored = glob.includes('/') ? glob.replace(/^\.?\//, '') : `**/${glob}`;
  const tokens = anchored.match(/\*\*\/|\*\*|\*|\?|\[!?[^\]]+\]|\{[^{}]*\}|[^]/g) ?? [];
  return `^${tokens.map(patternOfToken).join('')}$`;
}

function patternOfToken(token: string): string {
  if (token === '**/') return '(?:[^]*/)?';
  if (token === '**') return '[^]*';
  if (token === '*') return '[^/]*';
  if (token === '?') return '[^/]';
  if (token.startsWith('[') && token.length > 1) {
    return token.replace(/^\[!/, '[^').replace(/\\/g, '\\\\');
  }
  if (token.startsWith('{') && token.length > 1) {
    const choices = token.slice(1, -1).split(',');
    return `(?:${choices.map((choice) => choice.split('').map(patternOfToken).join('')).join('|')})`;
  }
  return token.replace(/[\\^$.|+()[\]{}*?]/g, '\\$&');
}
