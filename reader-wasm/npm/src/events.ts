import type { FeedEvent } from './types.js';

/** Where events go. */
export type Tell = (event: FeedEvent) => void;

/** A line about a decision; nothing when nobody asked for it. */
export type Trace = ((line: string) => void) | undefined;

/** What an app's listener throws must not end a read. */
export function safely(listener: Tell | null): Tell {
  return (event) => {
    try {
      listener?.(event);
    } catch (error) {
      console.error(error);
    }
  };
}
