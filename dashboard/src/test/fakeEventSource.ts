// A connection to the event stream that a test opens, fails and speaks through.

export class FakeEventSource extends EventTarget {
  static readonly all: FakeEventSource[] = [];
  readonly url: string;
  readonly resumedBehind: string | null;
  isClosed = false;

  constructor(url: string, lastEventId: string | null = null) {
    super();
    this.url = url;
    this.resumedBehind = lastEventId;
    FakeEventSource.all.push(this);
  }

  static newest(): FakeEventSource {
    const newest = FakeEventSource.all.at(-1);
    if (newest === undefined) throw new Error("no stream has been opened");
    return newest;
  }

  close(): void {
    this.isClosed = true;
  }

  open(): void {
    this.dispatchEvent(new Event("open"));
  }

  fail(): void {
    this.dispatchEvent(new Event("error"));
  }

  say(kind: string, data: unknown, id = ""): void {
    const text = typeof data === "string" ? data : JSON.stringify(data);
    this.dispatchEvent(new MessageEvent(kind, { data: text, lastEventId: id }));
  }
}
