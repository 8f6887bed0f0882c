// The page of the import: from a file to a verdict, and from the verdict to the rows.
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { routes, sent, serve, sessionOf, show } from "../harness.tsx";
import "./ClientsImportPage.tsx";

const FILE = new File(
  ["First Name,E-mail,Opt-in\nAda,ada@example.com,yes\nBo,wrong,no\nCy,cy@example.com,perhaps\n"],
  "people.csv",
  { type: "text/csv" },
);

const REFUSED = '{"line":2,"detail":"email: is not valid"}\n{"accepted":1,"rejected":1}';

it("checks every row without writing, names line and column, and then imports the rest", async () => {
  const accepted = '{"accepted":1,"rejected":0}';
  serve(
    routes({
      "POST /api/clients/bulk?dry_run=true": () => [200, REFUSED],
      "POST /api/clients/bulk": () => [200, accepted],
    }),
  );
  show("/clients/import");
  const user = userEvent.setup();
  await user.upload(await screen.findByLabelText(/The file/), FILE);
  const column = await screen.findByTestId<HTMLSelectElement>("column-consent");
  expect(column.value).toBe("2");
  await user.click(screen.getByRole("button", name("Check all rows")));
  expect((await screen.findByTestId("check-result")).textContent).toContain(
    "1 client would be imported, 2 rows left out",
  );
  const problems = screen.getByTestId("row-problems");
  expect([...problems.querySelectorAll("tbody tr")].map((row) => row.textContent).sort()).toEqual([
    "3E-mailis not valid",
    "4Opt-inis neither yes nor no",
  ]);
  sent.length = 0;
  await user.click(screen.getByRole("button", name("Import 1 client")));
  expect((await screen.findByTestId("import-result")).textContent).toBe(
    "1 client imported, 2 rows rejected.",
  );
  expect(sent).toEqual([
    {
      method: "POST",
      path: "/api/clients/bulk",
      body: '{"consent":true,"first_name":"Ada","email":"ada@example.com"}\n',
    },
  ]);
  expect(screen.getByRole("button", name("Download the rejected rows"))).toBeTruthy();
});

it("does not check while a needed column is missing, and says which", async () => {
  serve(routes());
  show("/clients/import?kind=orders");
  const user = userEvent.setup();
  const file = new File(["client_id,date\n1,2026-01-01\n"], "orders.csv", { type: "text/csv" });
  await user.upload(await screen.findByLabelText(/The file/), file);
  expect((await screen.findByRole("alert")).textContent).toBe("Choose a column for: Amount.");
  const check = screen.getByRole<HTMLButtonElement>("button", name("Check all rows"));
  expect(check.disabled).toBe(true);
  await user.selectOptions(screen.getByTestId("column-amount"), "date");
  await waitFor(() => {
    expect(check.disabled).toBe(false);
  });
});

it("tells who may not import what they lack", async () => {
  serve(routes());
  show("/clients/import", sessionOf(["clients:read", "pii:read"]));
  expect((await screen.findByTestId("empty")).textContent).toContain("clients:write");
  expect(screen.queryByLabelText(/The file/)).toBeNull();
});

function name(text: string): { name: string } {
  return { name: text };
}
