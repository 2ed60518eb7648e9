//! The bridge between the typed fields of the model and values of any kind.
//!
//! Owns how each type of the model becomes a value and back. Knows no keyword.

use std::net::Ipv4Addr;

use crate::model::Address;
use crate::model::ConflictAction;
use crate::model::HeartbeatAuth;
use crate::model::Host;
use crate::model::Network;
use crate::model::Protocol;
use crate::model::Scheduler;
use crate::model::ServiceKind;
use crate::model::Setting;
use crate::model::Span;
use crate::model::Text;
use crate::value::Value;

/// A setting of any type.
pub(crate) trait Field {
    /// Where it was written.
    fn span(&self) -> Option<Span>;
    /// Its value; `None` when there is nothing to show.
    fn value(&self) -> Option<Value>;
    /// Takes over a value that stands at `span`. The kind of the keyword fits the type of the
    /// field (a test goes through all keywords), so a value that does not is left alone.
    fn load(&mut self, value: Value, span: Span);
}

impl<T: Stored> Field for Setting<T> {
    fn span(&self) -> Option<Span> {
        self.span
    }

    fn value(&self) -> Option<Value> {
        self.value.to_value()
    }

    fn load(&mut self, value: Value, span: Span) {
        if let Some(value) = T::from_value(value) {
            *self = Self::written(value, span);
        }
    }
}

/// A type of the model.
pub(crate) trait Stored: Sized {
    fn to_value(&self) -> Option<Value>;
    fn from_value(value: Value) -> Option<Self>;
}

/// Types that are another type or nothing.
macro_rules! optional {
    ($($type:ty)*) => {$(
        impl Stored for Option<$type> {
            fn to_value(&self) -> Option<Value> {
                self.as_ref().and_then(Stored::to_value)
            }

            fn from_value(value: Value) -> Option<Self> {
                <$type>::from_value(value).map(Some)
            }
        }
    )*};
}

/// Types that are exactly one kind of value.
macro_rules! plain {
    ($($type:ty = $variant:ident,)*) => {$(
        impl Stored for $type {
            fn to_value(&self) -> Option<Value> {
                Some(Value::$variant(self.clone()))
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::$variant(value) => Some(value),
                    _ => None,
                }
            }
        }
    )*};
}

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl Stored for $type {
            fn to_value(&self) -> Option<Value> {
                Some(Value::Number((*self).into()))
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    Value::Number(number) => number.try_into().ok(),
                    _ => None,
                }
            }
        }
    )*};
}

macro_rules! choices {
    ($($type:ty { $($name:literal = $variant:ident,)* })*) => {$(
        impl $type {
            /// The words of lvs.cf for it.
            pub const NAMES: &[&str] = &[$($name,)*];

            /// The word of lvs.cf for it.
            pub const fn keyword(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl Stored for $type {
            fn to_value(&self) -> Option<Value> {
                Some(Value::Choice(self.keyword()))
            }

            fn from_value(value: Value) -> Option<Self> {
                match value {
                    $(Value::Choice($name) => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    )*};
}

plain! {
    bool = Flag,
    Host = Host,
    Address = Address,
    Option<Ipv4Addr> = Ip,
    Text = Text,
    Vec<Text> = List,
    Vec<Host> = Hosts,
}

numbers! { u16 u32 i32 }

choices! {
    Network { "nat" = Nat, "direct" = Direct, "tunnel" = Tunnel, }
    ServiceKind { "lvs" = Lvs, "fos" = Fos, }
    ConflictAction { "nothing" = Nothing, "preempt" = Preempt, }
    HeartbeatAuth { "send" = Send, "permissive" = Permissive, "enforce" = Enforce, }
    Protocol { "tcp" = Tcp, "udp" = Udp, }
    Scheduler {
        "wlc" = Wlc, "lc" = Lc, "rr" = Rr, "wrr" = Wrr,
        "lblc" = Lblc, "lblcr" = Lblcr, "dh" = Dh, "sh" = Sh,
    }
}

optional! { Host Address Text u32 ConflictAction }
