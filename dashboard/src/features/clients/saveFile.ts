// Hands the reader a file to keep.

/** Offer a document as a download; the browser asks where to, or keeps it with the others. */
export function saveFile(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download has begun with the click; the copy in memory may go once it has been taken.
  setTimeout(() => {
    URL.revokeObjectURL(address);
  }, 10_000);
}
