import type { ArtifactReading, Reading } from './types.js';

/** The object URLs of the artifacts that were handed out; they end with the feed. */
export class ObjectUrls {
  readonly #urls = new Map<Blob, string>();

  /** The reading with the means to show it. Readings of the same blob have the same URL. */
  offer(reading: Reading<Blob> & { readonly ext: string }): ArtifactReading {
    const { data } = reading;
    // Not a copy of the reading, because what it says of its copy changes.
    return Object.assign(reading, {
      objectUrl: () => {
        let url = this.#urls.get(data);
        if (url === undefined) this.#urls.set(data, (url = URL.createObjectURL(data)));
        return url;
      },
      revokeObjectUrl: () => this.#revoke(data),
    });
  }

  revokeAll(): void {
    for (const blob of [...this.#urls.keys()]) this.#revoke(blob);
  }

  #revoke(blob: Blob): void {
    const url = this.#urls.get(blob);
    if (url !== undefined) URL.revokeObjectURL(url);
    this.#urls.delete(blob);
  }
}
