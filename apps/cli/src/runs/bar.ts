import type { Run } from '#domain';
import { currentItem, statusOf } from '#domain';

const CELLS = 24;

/** Where a run is, on one line. */
export function barOf(run: Run): string {
  const { done, failed } = run.settled;
  const total = run.items.length;
  const status = statusOf(run);
  const segment = `segment ${run.segments}`;
  if (total === 0) return `${status} · ${run.turns} steps · ${segment}`;
  const full = Math.round((CELLS * (done + failed)) / total);
  const item = currentItem(run);
  const bad = failed === 0 ? '' : ` (${failed} failed)`;
  return `[${'█'.repeat(full)}${'░'.repeat(CELLS - full)}] ${done + failed}/${total}${bad} · ${status} · ${segment}${item ? ` · ${item.id}` : ''}`;
}
