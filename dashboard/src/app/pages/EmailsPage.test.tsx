// The page of emails: texts stay inert, reasons are told, and decisions wait for the mailer.
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { draft, emailText } from "../../test/emails.ts";
import { decision, emailDetail } from "../../test/examples.ts";
import { FakeEventSource } from "../../test/fakeEventSource.ts";
import { ALL_SCOPES, routes, sent, serve, sessionOf, show } from "../harness.tsx";

const BODY = 'Hello <img src=x onerror="alert(1)"> <script>alert(2)</script>';

describe("the page of emails", () => {
  it("shows the text of an email as text only", async () => {
    const written = emailDetail({ state: "written", email: emailText({ body: BODY }) });
    serve(routes({ "GET /api/emails/42-20600": () => [200, written] }));
    show("/emails/42-20600");
    const body = await screen.findByTestId("body");
    expect(body.textContent).toBe(BODY);
    expect(body.children).toHaveLength(0);
  });

  it("says why an email waits and what one can do about it", async () => {
    const reason = "fell at risk too long ago to write unasked";
    serve(routes({ "GET /api/emails/42-20600": () => [200, emailDetail({ reason })] }));
    show("/emails/42-20600");
    const why = await screen.findByTestId("why");
    expect(why.textContent).toContain("too long ago to write without asking you");
    expect(why.textContent).toContain("Release it if");
  });

  it("sends a release and waits until the mailer has moved the row", async () => {
    let state: "held" | "pending" = "held";
    serve(
      routes({
        "GET /api/emails": () => [200, { items: [emailDetail({ state })], next: null }],
        "GET /api/emails/42-20600": () => [200, emailDetail({ state, decisions: [decision()] })],
        "POST /api/decisions": () => [201, decision()],
      }),
    );
    show("/emails?state=held");
    const user = userEvent.setup();
    const card = within(await screen.findByTestId("email-42-20600"));
    await user.click(card.getByRole("button", { name: "Release" }));
    expect(await card.findByRole("button", { name: "Releasing…" })).toBeTruthy();
    expect(sent[0]?.body).toMatchObject({ episode_id: "42-20600", action: "release" });
    state = "pending";
    act(() => {
      FakeEventSource.newest().say("email", {
        episode_id: "42-20600",
        client_id: 42,
        state: "pending",
      });
    });
    await waitFor(() => {
      expect(card.queryByRole("button", { name: "Releasing…" })).toBeNull();
    });
  });

  it("searches by the id of a client, and says what an id is", async () => {
    serve(routes());
    show("/emails");
    const user = userEvent.setup();
    const field = await screen.findByLabelText("Search by client id");
    await user.type(field, "abc{Enter}");
    expect(screen.getByText(/An id is a whole number/)).toBeTruthy();
    await user.clear(field);
    await user.type(field, "42{Enter}");
    await waitFor(() => {
      expect(screen.getByLabelText<HTMLInputElement>("Search by client id").value).toBe("42");
    });
  });
});

describe("those who may not decide", () => {
  it("are offered no decision, and are told why", async () => {
    serve(routes({ "GET /api/emails/42-20600": () => [200, draft("42-20600", "Ada")] }));
    show(
      "/emails/42-20600?state=draft",
      sessionOf(ALL_SCOPES.filter((scope) => scope !== "emails:approve")),
    );
    expect((await screen.findByTestId("may-not-decide")).textContent).toContain("emails:approve");
    expect(screen.queryByRole("button", { name: "Approve" })).toBeNull();
    expect(screen.queryByTestId("bulk")).toBeNull();
  });

  it("do not decide about a text that is hidden from them", async () => {
    const row = draft("42-20600", "•••");
    const masked = { ...row, email: emailText({ subject: "•••", body: "•••" }) };
    serve(routes({ "GET /api/emails/42-20600": () => [200, masked] }));
    show("/emails/42-20600");
    expect((await screen.findByTestId("may-not-decide")).textContent).toContain("pii:read");
    await userEvent.setup().keyboard("a");
    expect(sent).toEqual([]);
  });
});
