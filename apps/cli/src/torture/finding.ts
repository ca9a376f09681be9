/** Something that is not as it is without a disturbance. `changed`: neither less nor more, but something else. */
export interface Finding {
  readonly kind: 'lost' | 'doubled' | 'changed';
  readonly sentence: string;
}

export const lost = (sentence: string): Finding => ({ kind: 'lost', sentence });
export const doubled = (sentence: string): Finding => ({ kind: 'doubled', sentence });
export const changed = (sentence: string): Finding => ({ kind: 'changed', sentence });
