//! The schema, with a guard for fields.
use async_graphql::{Context, EmptyMutation, ErrorExtensions, Guard, Object, Result, Subscription};
use auth0_axum::{Auth0, Requirement, VerifiedToken, policy::scope};
use futures_util::{Stream, stream};
use std::time::Duration;
use tokio::time::{Interval, interval};

pub(crate) type Schema = async_graphql::Schema<Query, EmptyMutation, Subscriptions>;

pub(crate) fn new() -> Schema {
    Schema::new(Query, EmptyMutation, Subscriptions)
}

/// Requires something of the token, for one field.
struct Require(Requirement);

impl Guard for Require {
    async fn check(&self, context: &Context<'_>) -> Result<()> {
        let token = context.data::<VerifiedToken>()?;
        context.data::<Auth0>()?.authorize(token, &self.0).map_err(|error| {
            let code = error.code();
            async_graphql::Error::new(code.description())
                .extend_with(|_, extensions| extensions.set("error_code", code.as_str()))
        })
    }
}

pub(crate) struct Query;

#[Object]
impl Query {
    /// Returns the subject of the token.
    async fn me<'a>(&self, context: &Context<'a>) -> Result<&'a str> {
        Ok(context.data::<VerifiedToken>()?.subject())
    }

    /// Needs the scope `read:messages`.
    #[graphql(guard = "Require(scope(\"read:messages\"))")]
    async fn secret(&self) -> &str {
        "the cake is in the fridge"
    }
}

pub(crate) struct Subscriptions;

#[Subscription]
impl Subscriptions {
    /// Counts seconds.
    async fn ticks(&self) -> impl Stream<Item = u64> {
        stream::unfold(
            (interval(Duration::from_secs(1)), 0),
            async |(mut second, count): (Interval, u64)| {
                second.tick().await;
                Some((count, (second, count + 1)))
            },
        )
    }
}
