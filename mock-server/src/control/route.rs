//! One row of the control API's table: a path, a method, what it takes and
//! answers, and the function that does it. The types of the function are the
//! types of the document, so that the two cannot disagree.

use std::pin::Pin;

use bytes::Bytes;
use hyper::Method;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ask::Ask;
use super::refusal::ControlError;
use crate::reply_body::ReplyBody;

/// One kind of request under `/__admin/`.
pub(super) struct Route {
    pub(super) method: Method,
    /// Under [`super::PREFIX`]; a segment in braces stands for any one.
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    /// The schema of what may stand in the query, with every type written out.
    pub(super) query: Option<Value>,
    pub(super) body: Option<Taken>,
    pub(super) answer: Answered,
    /// Statuses of refusals beyond those that every route has.
    pub(super) refusals: &'static [u16],
    run: Box<dyn Fn(Ask) -> Working + Send + Sync>,
}

/// What a route takes as its body.
pub(super) struct Taken {
    pub(super) shape: Shape,
    pub(super) example: &'static str,
    /// Whether it may be left out.
    pub(super) optional: bool,
}

/// What a route answers with.
pub(super) enum Answered {
    Json(Shape),
    /// Server-sent events, each with data of this shape.
    Events(Shape),
}

/// Writes a type's schema.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

type Working = Pin<Box<dyn Future<Output = Result<Done, ControlError>> + Send>>;

/// What came of it.
pub(super) enum Done {
    Json(Bytes),
    Events(ReplyBody),
}

/// The usual outcome of a route's function.
pub(super) type Outcome<A> = Result<A, ControlError>;

impl Route {
    /// Takes nothing but what stands in the path.
    pub(super) fn plain<A: Serialize + JsonSchema>(
        (method, path): (Method, &'static str),
        summary: &'static str,
        does: impl Fn(&Ask) -> Outcome<A> + Send + Sync + 'static,
    ) -> Self {
        let run = move |ask: Ask| -> Working {
            let done = does(&ask).map(|answer| Done::Json(json(&answer)));
            Box::pin(async { done })
        };
        Self::new((method, path), summary, Answered::of::<A>(), Box::new(run))
    }

    /// Takes a query.
    pub(super) fn search<Q: DeserializeOwned + JsonSchema, A: Serialize + JsonSchema>(
        line: (Method, &'static str),
        summary: &'static str,
        does: impl Fn(&Ask, Q) -> Outcome<A> + Send + Sync + 'static,
    ) -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.inline_subschemas = true;
        settings.meta_schema = None;
        let schema = settings.into_generator().into_root_schema_for::<Q>();
        let schema = schema.to_value();
        let properties = schema["properties"].clone();
        let does = move |ask: &Ask| does(ask, ask.query(&properties)?);
        Self {
            query: Some(schema),
            ..Self::plain(line, summary, does)
        }
    }

    /// Takes a body.
    pub(super) fn send<B: DeserializeOwned + JsonSchema, A: Serialize + JsonSchema>(
        line: (Method, &'static str),
        summary: &'static str,
        example: &'static str,
        does: impl Fn(&Ask, B) -> Outcome<A> + Send + Sync + 'static,
    ) -> Self {
        let does = move |ask: &Ask| does(ask, ask.body(example)?);
        Self {
            body: Some(Taken::of::<B>(example)),
            ..Self::plain(line, summary, does)
        }
    }

    /// Takes a body and some time.
    pub(super) fn send_and_wait<B, A, F>(
        line: (Method, &'static str),
        summary: &'static str,
        example: &'static str,
        does: impl Fn(Ask, B) -> F + Send + Sync + 'static,
    ) -> Self
    where
        B: DeserializeOwned + JsonSchema,
        A: Serialize + JsonSchema,
        F: Future<Output = Outcome<A>> + Send + 'static,
    {
        let run = move |ask: Ask| -> Working {
            let working = ask.body(example).map(|body| does(ask, body));
            Box::pin(async move { Ok(Done::Json(json(&working?.await?))) })
        };
        let route = Self::new(line, summary, Answered::of::<A>(), Box::new(run));
        Self {
            body: Some(Taken::of::<B>(example)),
            ..route
        }
    }

    /// Answers with events until somebody leaves.
    pub(super) fn listen<E: JsonSchema>(
        line: (Method, &'static str),
        summary: &'static str,
        does: impl Fn(&Ask) -> Outcome<ReplyBody> + Send + Sync + 'static,
    ) -> Self {
        let run = move |ask: Ask| -> Working {
            let done = does(&ask).map(Done::Events);
            Box::pin(async { done })
        };
        let answer = Answered::Events(|generator| generator.subschema_for::<E>());
        Self::new(line, summary, answer, Box::new(run))
    }

    fn new(
        (method, path): (Method, &'static str),
        summary: &'static str,
        answer: Answered,
        run: Box<dyn Fn(Ask) -> Working + Send + Sync>,
    ) -> Self {
        Self {
            method,
            path,
            summary,
            description: "",
            query: None,
            body: None,
            answer,
            refusals: &[],
            run,
        }
    }

    /// The same, with more to say.
    pub(super) fn about(self, description: &'static str) -> Self {
        Self {
            description,
            ..self
        }
    }

    /// The same, which may also refuse with these statuses.
    pub(super) fn refusing(self, refusals: &'static [u16]) -> Self {
        Self { refusals, ..self }
    }

    /// The same, whose body may be left out.
    pub(super) fn or_nothing(mut self) -> Self {
        if let Some(body) = &mut self.body {
            body.optional = true;
        }
        self
    }

    /// What stands in this path for the segment in braces (empty if there is
    /// none); `None` if the path is another.
    pub(super) fn find<'a>(&self, path: &'a str) -> Option<&'a str> {
        let mut id = "";
        let (mut ours, mut theirs) = (self.path.split('/'), path.split('/'));
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return Some(id),
                (Some(our), Some(their)) if our.starts_with('{') && !their.is_empty() => id = their,
                (Some(our), Some(their)) if our == their => {}
                _ => return None,
            }
        }
    }

    /// Method and path, for people.
    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Carries it out.
    pub(super) fn run(&self, ask: Ask) -> Working {
        (self.run)(ask)
    }
}

impl Taken {
    fn of<B: JsonSchema>(example: &'static str) -> Self {
        Self {
            shape: |generator| generator.subschema_for::<B>(),
            example,
            optional: false,
        }
    }
}

impl Answered {
    fn of<A: JsonSchema>() -> Self {
        Self::Json(|generator| generator.subschema_for::<A>())
    }
}

/// As an answer has it.
pub(super) fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value)
        .expect("invariant: plain data with text keys")
        .into()
}
