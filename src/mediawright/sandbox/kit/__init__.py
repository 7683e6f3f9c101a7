"""What emulators of vendors are built from.

How to write an emulator
========================

An emulator imitates one vendor's HTTP API: its paths, validation, status words, error bodies
and headers. It is written from the vendor's documentation and knows nothing of the adapter
that talks to it, nor of other emulators. The kit does the rest: it reads the body, takes the
`[[sandbox: ...]]` markers out of it, checks the key, makes faults happen, keeps jobs and
files, makes media, and journals every request.

1. Make a package `sandbox/emulators/<vendor>/` with `emulator.py` (the class below), modules
   for what the vendor has (rules of fields, error bodies, prices), and `PROVENANCE.md` (where
   each shape was taken from). Add its class to `sandbox/registry.py`.

2. Write the class::

    class AcmeEmulator(Emulator):
        name = "acme"
        credential = "acme_sandbox"
        bases = {"api": "/v1"}                       # ROOT/acme/v1

        def endpoints(self) -> Sequence[Endpoint]:
            return (
                Endpoint(method="POST", path="/v1/videos", handler=self._create,
                         kind=RequestKind.SUBMIT),
                Endpoint(method="GET", path="/v1/videos/{id}", handler=self._show,
                         kind=RequestKind.POLL, job="id"),
            )

        def presented_key(self, call: Call) -> str | None:
            return call.headers.get("X-Acme-Key")

        def fault(self, scenario: Scenario, call: Call) -> Reply:
            # rate_limited, server_error, moderated, bad_key and out_of_credit
            # in the vendor's own words, status codes and headers
            ...

        def not_found(self, call: Call) -> Reply: ...

   `kind` is `SUBMIT` for every request that the vendor bills (tests count them), `POLL` for the
   question how a job is, `RESULT` for fetching its output by another path, `CANCEL`, `UPLOAD`,
   and `OTHER`. `job` names the piece of the path or of the query that holds the job's id: then
   `call.job` is that job, or `None` if there is no such job, which the handler answers in the
   vendor's way.

3. A handler takes a `Call` and returns a `Reply`, or raises `VendorError(reply)` from any
   depth. `call.body.fields` is the JSON object, or `None`; `call.body.malformed` tells broken
   JSON; `call.body.texts(name)` and `call.body.files(name)` are the parts of a multipart body.
   `kit/fields.py` checks JSON bodies against rules that are data.

   A synchronous endpoint validates, calls `self.refuse_if_moderated(call)`, makes its file with
   `self.kit.media`, and answers `Reply.media(data, content_type)`, or JSON around
   `self.inline(call, data)` or `self.publish(call, data, content_type, extension)` (a URL).

   `self.kit.media` raises `MediawrightError` for inputs that it cannot read: the vendor's 400.

   An asynchronous endpoint validates and takes a job::

        async def _create(self, call: Call) -> Reply:
            fields = check(call)

            async def work() -> str:                 # runs when the job is due
                data = await self.kit.media.video(fields["prompt"], 4.0, 1280, 720)
                return self.publish(call, data, "video/mp4", "mp4")

            job = self.jobs.create(call, self.ids.uuid4(), work, {"prompt": fields["prompt"]})
            return Reply.json({"id": job.id})

        async def _show(self, call: Call) -> Reply:
            if call.job is None:
                return error_reply(404, "no such video")
            match await call.job.advance():
                case JobState.SUCCEEDED:
                    return Reply.json({"status": "done", "url": call.job.result})
                case JobState.FAILED:                # .is_refused, .error, or neither
                    ...
                case JobState.UNHEARD_OF:            # UNHEARD_OF_WORD in the vendor's writing
                    ...
                case state:                          # .done is the part done, 0 to 1
                    return Reply.json({"status": WORDS[state]})

   `job.cancel()` tells whether there was something left to cancel. A vendor that answers what
   it refuses in a way of its own creates its jobs with `refuses_itself=True`.

   Input files come as URLs: `await self.kit.shelf.fetch(url)` reads data URIs and what was
   uploaded (`self.kit.shelf.put(data, content_type, extension).url` keeps an upload), and raises
   `FetchError`. Ids come from `self.ids`, times from `self.kit.clock`, never from elsewhere, so
   that a seed and a moved clock decide everything.

4. What the kit makes happen by itself: `rate_limited`, `server_error`, `bad_key` and
   `out_of_credit` (through `fault`), `garbage`, `slow`, `lost_reply`, `truncated_file` (of
   `Reply.media`, `inline` and `publish`), `expired_url`, and for jobs `moderated`, `job_failed`
   and `unknown_status` (through `advance`). A missing key, or one with `bad` in it, is refused.

5. Drive the emulator with the vendor's own SDK in `tests/sandbox/`: success, bad key,
   validation, rate limit, moderation at least.

How a request chooses its scenario: the header `X-Sandbox-Scenario: rate_limited; times=2`, or
a marker `[[sandbox: moderated]]` in any string of the body, or what was set under
`/__sandbox__/scenario`, in this order. Settings after the name: `times`, `kind`, `seconds`,
`status`, `polls`, `downloads` (see `Scenario`). A marker with `kind=poll`, `kind=result` or
`kind=cancel` in a submit concerns the later requests about its job. How a job advances is
chosen likewise: `X-Sandbox-Progression: polls=3`, `[[sandbox: seconds=10]]`,
`/__sandbox__/progression`.
"""
